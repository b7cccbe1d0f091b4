"""What the English front end knows by heart: abbreviations, units, names of marks and letters."""

from __future__ import annotations

from workers.tts.words import Words, listed


def _table(lines: str) -> dict[str, Words]:
    """`key said words` a line."""
    rows = (line.split() for line in lines.strip().splitlines())
    return {key: tuple(said) for key, *said in rows}


def _set(line: str) -> frozenset[str]:
    return frozenset(line.split())


DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

ABBREVIATIONS = _table("""
mr mister
mrs missus
ms miz
prof professor
jr junior
sr senior
vs versus
etc et cetera
e.g for example
i.e that is
eg for example
ie that is
cf compare
approx approximately
no number
nos numbers
inc incorporated
ltd limited
co company
corp corporation
dept department
univ university
est established
fig figure
vol volume
ch chapter
sec section
pp pages
ft feet
min minutes
max maximum
hr hour
hrs hours
tel telephone
ext extension
ave avenue
blvd boulevard
rd road
apt apartment
gov governor
gen general
sgt sergeant
capt captain
lt lieutenant
col colonel
rev reverend
hon honourable
mt mount
jan january
feb february
mar march
apr april
jun june
jul july
aug august
sep september
sept september
oct october
nov november
dec december
mon monday
tue tuesday
tues tuesday
wed wednesday
thu thursday
thur thursday
thurs thursday
fri friday
sat saturday
sun sunday
a.m A M
p.m P M
a.k.a also known as
ph.d P H D
""")
"""Said when a point follows."""

WITHOUT_POINT = _set("mr mrs ms vs etc e.g i.e prof")
"""Abbreviations that are also written without their point."""

SENTENCE_ENDERS = _set("no min max mar sat sun sec fig col rev hon gov gen co wed est apt ch")
"""Abbreviations that are words too: at the end of a text the point is the sentence's."""

CALENDAR = _set("jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun")
"""Of these; beside a number or each other they need no point: `Dec 25`."""

DAYS_THAT_ARE_WORDS = _set("sat sun wed")
"""Of these; with a capital within a sentence they are days."""

UNITS: dict[str, tuple[str, str]] = {
    key: (one.replace("_", " "), many.replace("_", " "))
    for key, one, many in (
        line.split()
        for line in """
km kilometer kilometers
m meter meters
cm centimeter centimeters
mm millimeter millimeters
µm micrometer micrometers
nm nanometer nanometers
km/h kilometer_per_hour kilometers_per_hour
kph kilometer_per_hour kilometers_per_hour
m/s meter_per_second meters_per_second
mph mile_per_hour miles_per_hour
mi mile miles
ft foot feet
yd yard yards
kg kilogram kilograms
g gram grams
mg milligram milligrams
lb pound pounds
lbs pound pounds
oz ounce ounces
l liter liters
L liter liters
ml milliliter milliliters
s second seconds
sec second seconds
ms millisecond milliseconds
µs microsecond microseconds
ns nanosecond nanoseconds
min minute minutes
mins minute minutes
h hour hours
hr hour hours
hrs hour hours
Hz hertz hertz
kHz kilohertz kilohertz
MHz megahertz megahertz
GHz gigahertz gigahertz
kB kilobyte kilobytes
KB kilobyte kilobytes
MB megabyte megabytes
GB gigabyte gigabytes
TB terabyte terabytes
KiB kibibyte kibibytes
MiB mebibyte mebibytes
GiB gibibyte gibibytes
kbps kilobit_per_second kilobits_per_second
Mbps megabit_per_second megabits_per_second
Gbps gigabit_per_second gigabits_per_second
kbit/s kilobit_per_second kilobits_per_second
Mbit/s megabit_per_second megabits_per_second
fps frame_per_second frames_per_second
dB decibel decibels
V volt volts
mV millivolt millivolts
W watt watts
kW kilowatt kilowatts
MW megawatt megawatts
kWh kilowatt_hour kilowatt_hours
mAh milliamp_hour milliamp_hours
px pixel pixels
°C degree_Celsius degrees_Celsius
°F degree_Fahrenheit degrees_Fahrenheit
° degree degrees
m² square_meter square_meters
km² square_kilometer square_kilometers
m³ cubic_meter cubic_meters
ha hectare hectares
x times times
""".strip().splitlines()
    )
}
COMPARISONS: dict[str, Words] = {
    "<": ("less", "than"),
    ">": ("more", "than"),
    "<=": ("at", "most"),
    ">=": ("at", "least"),
    "!=": ("is", "not"),
    "≠": ("is", "not"),
    "==": ("equals",),
}
"""Said between two words: alone at the beginning of a line they are markup."""

SIGNS: dict[str, Words] = {
    "-": ("minus",), "−": ("minus",), "+": ("plus",), "±": ("plus", "or", "minus"), "~": ("about",), "≈": ("about",),
    "≤": ("at", "most"), "≥": ("at", "least"), **COMPARISONS,
}  # fmt: skip
"""Before a number."""

BETWEEN_DIGITS: dict[str, Words] = {
    "-": ("dash",), "–": ("to",), "—": ("to",), "~": ("to",), "−": ("minus",), ".": ("point",), "*": ("times",),
    **COMPARISONS,
}  # fmt: skip
"""Where no rule knows what a word is."""

ROOTS = _set("bin etc src usr lib docs tests static var opt tmp home dev node_modules")
"""A path begins with these, where two words with a slash between them are two words."""

UNITS_ALSO_WORDS = frozenset({"x", "V", "W", "L"})
"""Units only when written against the number."""

LABELLED = _set("room gate seat apartment apt flat suite floor row platform terminal building class grade level")
"""`Room 5L`: the letter after such a number is no unit."""

PER: dict[str, str] = {"mo": "month", "yr": "year", "wk": "week", "ea": "piece"} | {
    word: word
    for word in listed("second minute hour day night week month quarter year person head user seat mile gallon page")
}
"""What an amount is for one of: `$5/month`, `20/h`."""

NUMBER_CUES = _set("number no id code pin serial account call dial phone telephone tel fax reference ref isbn")
"""After these a long number is read digit by digit, however round it is."""
DECADE_CUES = _set("the his her their my your our mid early late")

MONTH_NAMES = listed("january february march april may june july august september october november december")
MONTHS = frozenset(MONTH_NAMES) | _set("jan feb mar apr jun jul aug sep sept oct nov dec")
YEAR_CUES = _set("in since until by from year during around before after")

COUNTED = _set("chapter part volume book act war phase type section appendix level class stage step")
_NUMERALS = "I II III IV V VI VII VIII IX X XI XII XIII XIV XV XVI XVII XVIII XIX XX"
ROMAN = {numeral: value for value, numeral in enumerate(listed(_NUMERALS), 1)}

VULGAR: dict[str, Words] = {
    "½": ("one", "half"),
    "¼": ("one", "quarter"),
    "¾": ("three", "quarters"),
    "⅓": ("one", "third"),
    "⅔": ("two", "thirds"),
    "⅛": ("one", "eighth"),
}

TOP_DOMAINS = _set("com org net edu gov io ai dev app info uk de fr es eu us ca au cn jp me co tv html htm")
SPELT_DOMAINS = _set("io ai uk de fr es eu us ca au cn jp tv html htm pdf api css js ssh")

ADDRESS_MARKS: dict[str, Words] = {
    ".": ("dot",),
    "/": ("slash",),
    "-": ("dash",),
    "_": ("underscore",),
    ":": ("colon",),
    "+": ("plus",),
    "@": ("at",),
    "~": ("tilde",),
    "%": ("percent",),
    "=": ("equals",),
    "&": ("and",),
}

MARKS: dict[str, Words] = {
    "&": ("and",),
    "+": ("plus",),
    "=": ("equals",),
    "@": ("at",),
    "%": ("percent",),
    "×": ("times",),
    "±": ("plus", "or", "minus"),
    "²": ("squared",),
    "³": ("cubed",),
    "¢": ("cents",),
    "÷": ("divided", "by"),
    "≈": ("about",),
    "≤": ("at", "most"),
    "≥": ("at", "least"),
    "→": ("to",),
    "°": ("degrees",),
    "€": ("euros",),
    "£": ("pounds",),
    "$": ("dollars",),
    "™": (),
    "©": (),
    "§": ("section",),
}

RESPELT = _table("""
visavis vee zah vee
webrtc web R T C
wifi why fie
wi-fi why fie
ok okay
okay okay
gui gooey
sql S Q L
https H T T P S
http H T T P
url U R L
ios eye O S
linux linnux
ubuntu oo boon too
github git hub
gitlab git lab
youtube you tube
openai open A I
chatgpt chat G P T
nvidia en vidia
javascript java script
json jason
yaml yammel
gif giff
jpeg jay peg
etc et cetera
c++ C plus plus
c# C sharp
24/7 twenty four seven
w/o without
w/ with
n/a not applicable
& and
""")
"""Words the lexicon misses or the letter rules get wrong, spelt so that they come out right."""

ACRONYMS = _set(
    "nasa nato unesco unicef opec ram rom pin laser radar sonar scuba covid aids asap fifa uefa bafta nafta lan wan sim"
    " vat zip bios cuda sap ikea lego nasdaq captcha"
)
"""Capitals that are a word of their own."""

SHOUTED = _set(
    "the and not all yes you who what why how now new for are was has can but out our her his him she use see two one"
    " ha wow hey hi no ok so it is in on at to of or if an as be by do go he me my up we must never always only very"
    " stop please help vera"
)
"""Short words people put in capitals for emphasis."""

SPELT = _set("usa uk eu us fbi cia cpu gpu api url html css tv id ai pc dvd usb pdf faq ceo rtc tts asr llm")
"""Letters even in a line of capitals."""

VOWELLESS = _set("hmm mm mmm shh psst tsk brr pfft nth grr")

LETTER_NAMES = dict(
    zip(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        listed(
            "ay bee see dee ee eff gee aitch eye jay kay el em en oh pee cue ar ess tee you vee double-you ex why zee"
        ),
        strict=True,
    )
)
"""How letters are spelt so that a lexicon gives their names; a lone `a` would be the article."""
