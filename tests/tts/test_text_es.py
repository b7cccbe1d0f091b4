"""Spanish text as it is spoken: a table of written and said."""

from __future__ import annotations

import pytest

from workers.tts.text import spoken

CASES = {
    "Tengo 21 gatos": "tengo veintiún gatos",
    "1.234 perros": "mil doscientos treinta y cuatro perros",
    "3,5 kilos": "tres coma cinco kilos",
    "1 perro": "un perro",
    "pi es 3.14159": "pi es tres punto uno cuatro uno cinco nueve",
    "a las 10:30": "a las diez y media",
    "a la 1:15": "a la una y cuarto",
    "a las 14:00": "a las catorce horas",
    "5 €": "cinco euros",
    "5,50 €": "cinco euros con cincuenta céntimos",
    "€1": "un euro",
    "$20": "veinte dólares",
    "$3 millones": "tres millones de dólares",
    "el 15%": "el quince por ciento",
    "100 km/h": "cien kilómetros por hora",
    "C/ Mayor, 5": "calle mayor cinco",
    "a ±5 grados": "a más menos cinco grados",
    "<5 kg": "menos de cinco kilos",
    "-5 °C": "menos cinco grados centígrados",
    "el 1 de mayo de 2024": "el uno de mayo de dos mil veinticuatro",
    "el 5/3/2024": "el cinco de marzo de dos mil veinticuatro",
    "el Sr. García y la Dra. Pérez": "el señor garcía y la doctora pérez",
    "p. ej. en EE. UU.": "por ejemplo en estados unidos",
    "ana@correo.es": "ana arroba correo punto es",
    "www.ejemplo.com/ayuda": "ejemplo punto com barra ayuda",
    "la ONU y el DNI": "la onu y el D N I",
    "1.º, 2ª, 3er piso": "primero segunda tercer piso",
    "912345678": "nueve uno dos tres cuatro cinco seis siete ocho",
    "10-20 personas": "diez a veinte personas",
    "¿Qué tal? «bien»": "qué tal bien",
    "1/2 litro 😀": "un medio litro",
    "$3.50": "tres dólares con cincuenta centavos",
    "$1M y $20k": "un millón de dólares y veinte mil dólares",
    "1,234.56": "mil doscientos treinta y cuatro coma cincuenta y seis",
    "v2.1": "versión dos punto uno",
    "192.168.1.1": "ciento noventa y dos punto ciento sesenta y ocho punto uno punto uno",
    "Felipe III en el siglo XXI": "felipe tercero en el siglo veintiuno",
    "el DNI de Luis XVI": "el D N I de luis dieciséis",
    "200 páginas y 21 personas": "doscientas páginas y veintiuna personas",
    "31 casas en 200 días": "treinta y una casas en doscientos días",
    "500 horas": "quinientas horas",
    "21 € y 1 €": "veintiún euros y un euro",
    "con IVA": "con iva",
}


@pytest.mark.parametrize(("written", "said"), CASES.items())
def test_spanish_is_read_as_people_say_it(written: str, said: str) -> None:
    tokens = list(spoken(written, "es"))
    assert " ".join(word for token in tokens for word in token.spoken) == said
    assert [token.text for token in tokens] == written.split()
