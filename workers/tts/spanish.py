"""What the Spanish front end knows by heart: abbreviations, units, names of marks, what is feminine."""

from __future__ import annotations

import re

from workers.tts.words import Words, listed

MONTHS = listed("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre")
CURRENCY = {
    "€": ("euro", "euros", "céntimo", "céntimos"),
    "$": ("dólar", "dólares", "centavo", "centavos"),
    "£": ("libra", "libras", "penique", "peniques"),
    "¥": ("yen", "yenes", "sen", "senes"),
    "￥": ("yen", "yenes", "sen", "senes"),
}
UNITS = {
    "km": ("kilómetro", "kilómetros"),
    "m": ("metro", "metros"),
    "cm": ("centímetro", "centímetros"),
    "mm": ("milímetro", "milímetros"),
    "kg": ("kilo", "kilos"),
    "g": ("gramo", "gramos"),
    "mg": ("miligramo", "miligramos"),
    "l": ("litro", "litros"),
    "ml": ("mililitro", "mililitros"),
    "h": ("hora", "horas"),
    "min": ("minuto", "minutos"),
    "s": ("segundo", "segundos"),
    "ms": ("milisegundo", "milisegundos"),
    "km/h": ("kilómetro por hora", "kilómetros por hora"),
    "°C": ("grado centígrado", "grados centígrados"),
    "ºC": ("grado centígrado", "grados centígrados"),
    "°": ("grado", "grados"),
    "GB": ("gigabyte", "gigabytes"),
    "MB": ("megabyte", "megabytes"),
    "GHz": ("gigahercio", "gigahercios"),
    "m²": ("metro cuadrado", "metros cuadrados"),
}
ABBREVIATIONS = {
    "sr": "señor", "sra": "señora", "srta": "señorita", "sres": "señores", "dr": "doctor", "dra": "doctora",
    "d": "don", "dña": "doña", "ud": "usted", "uds": "ustedes", "vd": "usted", "etc": "etcétera", "p.ej": "por ejemplo",
    "núm": "número", "n.º": "número", "nº": "número", "pág": "página", "págs": "páginas", "av": "avenida",
    "avda": "avenida", "c": "calle", "tel": "teléfono", "tfno": "teléfono", "prof": "profesor", "profa": "profesora",
    "ee.uu": "estados unidos", "aprox": "aproximadamente", "art": "artículo", "cap": "capítulo", "dpto": "departamento",
    "izq": "izquierda", "dcha": "derecha", "min": "minutos", "máx": "máximo", "a.c": "antes de cristo",
    "d.c": "después de cristo", "s.a": "S A",
}  # fmt: skip
NOT_WITHOUT_POINT = frozenset({"d", "c", "min", "cap", "art"})
WORDS_IN_CAPITALS = frozenset(listed("onu otan ovni sida renfe láser radar pyme covid nasa uned iva pin sim"))
ROMAN = dict(
    zip(
        listed("I II III IV V VI VII VIII IX X XI XII XIII XIV XV XVI XVII XVIII XIX XX XXI"), range(1, 22), strict=True
    )
)
COUNTED = frozenset(listed(
    "siglo capítulo tomo volumen parte fase tipo acto escena libro título sección nivel clase grado anexo apéndice"
))  # fmt: skip
"""Their Roman numbers are no ordinals."""
MONARCHS = frozenset(listed(
    "felipe carlos alfonso fernando isabel juan juana luis enrique pedro sancho jaime ramiro pío benedicto gregorio"
    " león clemente inocencio urbano guillermo jorge eduardo ricardo napoleón francisco josé victoria leopoldo balduino"
))  # fmt: skip
"""After these a single letter is a number, too: `Felipe V`."""
FEMININE_NAMES = frozenset(listed("isabel beatriz leonor inés carmen raquel ester mercedes dolores pilar elisabeth"))
"""Women whose names do not end in a."""
FEMININE = re.compile(r"(?:as?|ciones|siones|dades|ción|sión|dad|veces|noches|tardes|mujeres)$")
MASCULINE = frozenset(listed(
    "día días mapa mapas problema problemas programa programas sistema sistemas tema temas idioma idiomas poema poemas"
    " clima climas planeta planetas cometa cometas drama dramas telegrama telegramas diagrama diagramas para a la las"
    " ya hasta era cada nada dálmata dálmatas turista turistas artista artistas"
))  # fmt: skip
MARKS = {
    "&": "y", "+": "más", "=": "igual a", "%": "por ciento", "@": "arroba", "/": "barra", "€": "euros", "$": "dólares",
    "£": "libras", "°": "grados",
    "½": "un medio", "¼": "un cuarto", "×": "por", "±": "más menos", "<": "menos de", ">": "más de", "≤": "como máximo",
    "≥": "como mínimo",
}  # fmt: skip
SIGNS: dict[str, Words] = {
    "-": ("menos",), "−": ("menos",), "+": ("más",), "±": ("más", "menos"), "<": ("menos", "de"), ">": ("más", "de"),
    "≤": ("como", "máximo"), "≥": ("como", "mínimo"), "<=": ("como", "máximo"), ">=": ("como", "mínimo"),
    "~": ("unos",), "≈": ("unos",),
}  # fmt: skip
COMPARISONS: dict[str, Words] = {
    "<": ("menor", "que"), ">": ("mayor", "que"), "<=": ("como", "máximo"), ">=": ("como", "mínimo"),
}  # fmt: skip
"""Between two words; before a number SIGNS."""
BETWEEN_DIGITS: dict[str, Words] = {
    "-": ("guion",), "–": ("a",), "—": ("a",), "~": ("a",), "−": ("menos",), ".": ("punto",), ",": ("coma",),
    "*": ("por",), **COMPARISONS,
}  # fmt: skip
"""Where no rule knows what a word is."""
PER = {"mes": "al mes", "año": "al año", "día": "al día", "semana": "a la semana"}
"""What an amount is for one of: `5 €/mes`; of all else `por`."""
PER_ALSO = frozenset(listed("hora minuto segundo noche persona trimestre unidad usuario página"))
NUMBER_CUES = frozenset(listed("número núm teléfono tel código cuenta id pin clave referencia llame llama llamar"))
"""After these a long number is read digit by digit, however round it is."""
ADDRESS = {".": "punto", "/": "barra", "-": "guion", "_": "guion bajo", ":": "dos puntos", "@": "arroba", "+": "más"}
ORDINALS = listed(
    "primer segundo tercer cuarto quinto sexto séptimo octavo noveno décimo undécimo duodécimo decimotercer"
    " decimocuarto decimoquinto decimosexto decimoséptimo decimoctavo decimonoveno vigésimo"
)
VULGAR = {"½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3", "⅛": "1/8"}
FRACTIONS = {
    "1/2": "un medio", "1/3": "un tercio", "1/4": "un cuarto", "3/4": "tres cuartos", "2/3": "dos tercios",
    "1/8": "un octavo",
}  # fmt: skip
