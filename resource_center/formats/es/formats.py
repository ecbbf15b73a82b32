"""Spanish: “5 de noviembre de 2026 a las 08:00 EST”."""

DATETIME_FORMAT = r"j \d\e F \d\e Y \a \l\a\s H:i T"
TIME_FORMAT = "H:i T"
