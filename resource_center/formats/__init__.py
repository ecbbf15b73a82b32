"""How dates and hours are written (FORMAT_MODULE_PATH): as Django does, with the zone behind every hour."""
