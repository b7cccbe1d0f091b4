"""English text as it is spoken: a table of written and said."""

from __future__ import annotations

import pytest

from workers.tts.text import spoken

CASES = {
    # numbers
    "I have 3 cats.": "i have three cats",
    "1,234 dogs": "one thousand two hundred thirty four dogs",
    "pi is 3.14159": "pi is three point one four one five nine",
    "-5 degrees": "minus five degrees",
    "agent 007": "agent zero zero seven",
    "an id of 123456789": "an id of one two three four five six seven eight nine",
    "~40 seats": "about forty seats",
    "bags of <5 kg": "bags of less than five kilograms",
    "bags of >5kg": "bags of more than five kilograms",
    "in <=3 days": "in at most three days",
    "a >20% chance": "a more than twenty percent chance",
    "a != b": "a is not b",
    "x <= 3": "x at most three",
    "> it is open": "it is open",
    "1 000 000 people": "one million people",
    "25 000 books": "twenty five thousand books",
    "1 250 000 books": "one million two hundred fifty thousand books",
    "~1 500 000 books": "about one million five hundred thousand books",
    "1 000 000 000 000 000 things": "one" + " zero" * 15 + " things",
    "room 12 345": "room twelve three hundred forty five",
    "the 21st of June": "the twenty first of june",
    "in 102nd place": "in one hundred second place",
    "1/2 or 3/4": "one half or three quarters",
    "2½ cups": "two and a half cups",
    "a 50/50 chance": "a fifty fifty chance",
    "pages 10-20": "pages ten to twenty",
    "5k people": "five thousand people",
    "version 1.2.3": "version one point two point three",
    "10.0.0.1": "ten dot zero dot zero dot one",
    # years and dates
    "in 1998": "in nineteen ninety eight",
    "in 1905": "in nineteen oh five",
    "in 2007": "in two thousand seven",
    "since 2024": "since twenty twenty four",
    "the 1990s": "the nineteen nineties",
    "the '80s": "the eighties",
    "2010-2015": "twenty ten to twenty fifteen",
    "March 5, 2024": "march fifth twenty twenty four",
    "on 5 March": "on the fifth of march",
    "on 2024-03-05": "on march fifth twenty twenty four",
    "on 3/5/2024": "on march fifth twenty twenty four",
    "Jan. 2": "january second",
    "We open on Mon.": "we open on monday",
    "We close on Sun.": "we close on sunday",
    "They sat.": "they sat",
    # times
    "at 10:30am": "at ten thirty A M",
    "at 10 am": "at ten A M",
    "at 5 p.m. sharp": "at five P M sharp",
    "at 14:05": "at fourteen oh five",
    "at 9:00": "at nine o'clock",
    # money
    "$5": "five dollars",
    "$1": "one dollar",
    "$5.50": "five dollars and fifty cents",
    "$0.99": "ninety nine cents",
    "$3.5 million": "three point five million dollars",
    "€20 or 5€": "twenty euros or five euros",
    "£3.01": "three pounds and one penny",
    "$5M": "five million dollars",
    # percentages and units
    "5% off": "five percent off",
    "10-20%": "ten to twenty percent",
    "5 km": "five kilometers",
    "1 km": "one kilometer",
    "5km at 100 km/h": "five kilometers at one hundred kilometers per hour",
    "20°C": "twenty degrees Celsius",
    "16 GB": "sixteen gigabytes",
    "6'2\"": "six foot two",
    # telephones
    "+1 555-123-4567": "plus one five five five, one two three, four five six seven",
    "(555) 123-4567": "five five five one two three, four five six seven",
    # abbreviations
    "Dr. Smith": "doctor smith",
    "12 Elm Dr. is near": "twelve elm drive is near",
    "St. John St.": "saint john street",
    "Mr. J. K. Brown Jr.": "mister J K brown junior",
    "e.g. this, i.e. that, etc.": "for example this that is that et cetera",
    "No. 5": "number five",
    "I said no.": "i said no",
    "the U.S. economy": "the U S economy",
    # initials and names
    "NASA and the FBI": "nasa and the F B I",
    "API calls and PDFs": "A P I calls and P D effs",
    "WebRTC": "web R T C",
    "GPT-4 and H.264": "G P T four and H two sixty four",
    "COVID-19": "covid nineteen",
    "Plan B": "plan B",
    "room A and a cat": "room A and a cat",
    "STOP RIGHT NOW PLEASE": "stop right now please",
    "World War II": "world war two",
    "Henry VIII": "henry the eighth",
    "Chapter IV": "chapter four",
    # addresses
    "https://www.example.com/docs/faq?x=1": "example dot com slash docs slash faq",
    "jane.doe@example.org": "jane dot doe at example dot org",
    "visavis.io": "vee zah vee dot I O",
    # marks, markup, pictures
    "AT&T": "A T and T",
    "C++ and C#": "C plus plus and C sharp",
    "5 + 3 = 8": "five plus three equals eight",
    "and/or": "and or",
    "Run bin/up or bin/test.": "run bin slash up or bin slash test",
    "he/she": "he or she",
    "**bold** and _thin_ and `code`": "bold and thin and code",
    "see [our page](https://x.y/z)": "see our page",
    "<b>hi</b>": "hi",
    "Hello 😀 world": "hello world",
    "don’t can't": "don't can't",
    "a well-known café": "a well known café",
    # from one to another
    "open 9am-5pm": "open nine A M to five P M",
    "8:00–16:30": "eight o'clock to sixteen thirty",
    "Mon–Fri": "monday to friday",
    "Jean-Paul": "jean paul",
    # signs before numbers, and small figures
    "±40 ms": "plus or minus forty milliseconds",
    "~100 ms": "about one hundred milliseconds",
    "x² + 12 m²": "x squared plus twelve square meters",
    "5¢": "five cents",
    # the continent's decimals
    "2,5 and 1.234,56": "two point five and one thousand two hundred thirty four point five six",
    # numbers that are dialled
    "+44 20 7946 0958": "plus four four two zero seven nine four six zero nine five eight",
    "0800 123 456": "zero eight zero zero one two three four five six",
    "in 007 style": "in zero zero seven style",
    # addresses of machines and files
    "127.0.0.1:8080": "one hundred twenty seven dot zero dot zero dot one port eight thousand eighty",
    "/etc/personas/host.toml": "slash et cetera slash personas slash host dot toml",
    "~/tls.key": "tilde slash T L S dot key",
    "R&amp;D": "R and D",
    # amounts: signed, from one to another, with a currency, a percent sign, a unit, a time
    "$5-10": "five to ten dollars",
    "$5–$10": "five to ten dollars",
    "$5 - $10": "five dollars to ten dollars",
    "$5.50-10.25": "five dollars and fifty cents to ten dollars and twenty five cents",
    "$5k-10k": "five to ten thousand dollars",
    "$500k-1M": "five hundred thousand to one million dollars",
    "$1.5-2.5 million": "one point five to two point five million dollars",
    "€20-£30": "twenty euros to thirty pounds",
    "€5,50": "five euros and fifty cents",
    "5,50 €": "five euros and fifty cents",
    "€1.234,56": "one thousand two hundred thirty four euros and fifty six cents",
    "$ 5 or 5 €": "five dollars or five euros",
    "$ 5 million": "five million dollars",
    "1 000 000 €": "one million euros",
    "$.50": "fifty cents",
    "-$5 and $-5": "minus five dollars and minus five dollars",
    "<$5": "less than five dollars",
    "$5/month": "five dollars per month",
    "$5-10/month": "five to ten dollars per month",
    "€20/user": "twenty euros per user",
    "10 €/mo": "ten euros per month",
    "50mg/kg at 20/h": "fifty milligrams per kilogram at twenty per hour",
    ".5 mg": "zero point five milligrams",
    "2,5 kg": "two point five kilograms",
    "-.5": "minus zero point five",
    "-5% or +3.5%": "minus five percent or plus three point five percent",
    "50-60 % of people": "fifty to sixty percent of people",
    "5 % - 10 %": "five percent to ten percent",
    "5-10km": "five to ten kilometers",
    "~5-10 km": "about five to ten kilometers",
    "5°C–10°C": "five to ten degrees Celsius",
    "−10–−5 °C": "minus ten to minus five degrees Celsius",
    "-5–10": "minus five to ten",
    "5~10 people": "five to ten people",
    "5 – 10 km": "five to ten kilometers",
    "10 - 3 = 7": "ten minus three equals seven",
    "9-5pm": "nine to five P M",
    "9:00 - 14:00": "nine o'clock to fourteen hundred",
    "8 am - 5 pm": "eight A M to five P M",
    "9:00am-11:00am": "nine A M to eleven A M",
    "7½-8½": "seven and a half to eight and a half",
    "3 1/2 hours": "three and a half hours",
    "1 3/4 or 2 ½ cups": "one and three quarters or two and a half cups",
    "16:9 and 2:1": "sixteen to nine and two to one",
    # days, and endings that both ends of a range have
    "Dec 25": "december twenty fifth",
    "25 Dec 2023": "the twenty fifth of december twenty twenty three",
    "Mon, Dec 24-26": "monday december twenty fourth to twenty sixth",
    "5-10 March": "the fifth to the tenth of march",
    "Sun 9am-5pm": "sunday nine A M to five P M",
    "the Sun is bright": "the sun is bright",
    "05.06.2023": "june fifth twenty twenty three",
    "25.12.2023": "december twenty fifth twenty twenty three",
    "05-06-2023": "may sixth twenty twenty three",
    "18th-19th century": "eighteenth to nineteenth century",
    "in the 80s, in his 20s-30s": "in the eighties in his twenties to thirties",
    "wait 30s": "wait thirty seconds",
    # what is counted, what is dialled, what is a name
    "1000000 people": "one million people",
    "2500000 users": "two million five hundred thousand users",
    "1234567 km": "one million two hundred thirty four thousand five hundred sixty seven kilometers",
    "number 3000000": "number three zero zero zero zero zero zero",
    "call 5551234 now": "call five five five one two three four now",
    "a serial of -12345678": "a serial of minus one two three four five six seven eight",
    "555 123 4567": "five five five one two three four five six seven",
    "+44-20-7946-0958": "plus four four, two zero, seven nine four six, zero nine five eight",
    "+44 7911 123456": "plus four four seven nine one one one two three four five six",
    "+25 people": "plus twenty five people",
    "100-1500 people": "one hundred to one thousand five hundred people",
    "Room 3B": "room three B",
    "Room 5L, 5L": "room five L five liters",
    "5G, 5g": "five G five grams",
    "a 7B model": "a seven B model",
    "Dr Smith": "doctor smith",
    "Mr Lee, Mrs Lee, Ms Lee, Prof Lee": "mister lee missus lee miz lee professor lee",
    "St Andrew, 5 Main St": "saint andrew five main street",
    "12 Elm Dr is near": "twelve elm drive is near",
    "MS Office": "M S office",
    "21st-century art": "twenty first century art",
    # no mark between digits is lost where no rule knows the word
    "1-2-3": "one dash two dash three",
    "1,2,3": "one, two, three",
    "a 3.5x7 grid": "a three point five x seven grid",
    "x=-5y": "x equals minus five y",
    "5>3": "five more than three",
    "5−3": "five minus three",
}


@pytest.mark.parametrize(("written", "said"), CASES.items())
def test_english_is_read_as_people_say_it(written: str, said: str) -> None:
    assert " ".join(word for token in spoken(written, "en") for word in token.spoken) == said


@pytest.mark.parametrize("written", CASES)
def test_every_english_word_keeps_its_place(written: str) -> None:
    tokens = list(spoken(written, "en"))
    assert [token.text for token in tokens] == written.split()
    assert [token.index for token in tokens] == list(range(len(tokens)))


def test_stops_follow_the_words_they_stand_after() -> None:
    stops = [(token.text, token.stop) for token in spoken("Well, yes. Really?! It is (by Dr. No) so: go… now", "en")]
    assert [stop for _, stop in stops] == [",", ".", "?", "", ",", "", "", ",", ":", ",", ""]


@pytest.mark.parametrize("language", ["en", "es", "zh"])
@pytest.mark.parametrize("mark", ["-", "–", "—", "−", "~", ".", "<", ">", "*", "="])
def test_no_mark_between_digits_is_lost_whatever_is_around_them(mark: str, language: str) -> None:
    assert len(heard(f"q5{mark}7q", language)) > len(heard("q5 7q", language))


@pytest.mark.parametrize("language", ["en", "es", "zh"])
@pytest.mark.parametrize("sign", ["-", "−", "+", "±", "~", "<", ">", "≤", "≥"])
@pytest.mark.parametrize("amount", ["5", "5%", "$5", "5€", "5km", "5-7", "10:30", "5q7"])
def test_no_sign_before_a_number_is_lost(sign: str, amount: str, language: str) -> None:
    assert len(heard(f"x {sign}{amount}", language)) > len(heard(f"x {amount}", language))


def heard(text: str, language: str) -> str:
    return "".join(word for token in spoken(text, language) for word in token.spoken)


def test_what_is_said_for_an_amount_in_several_words_ends_where_it_does() -> None:
    tokens = list(spoken("Is it ($ 5), 5,50 €? Or 50 %!", "en"))
    assert [(" ".join(token.spoken), token.stop) for token in tokens[2:]] == [
        ("", ""), ("five dollars", ","), ("five euros and fifty", ""), ("cents", "?"), ("or", ""), ("fifty", ""),
        ("percent", "!"),
    ]  # fmt: skip
