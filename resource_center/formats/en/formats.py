"""English: “Nov. 5, 2026, 8 a.m. EST”."""

DATETIME_FORMAT = "N j, Y, P T"
TIME_FORMAT = "P T"
