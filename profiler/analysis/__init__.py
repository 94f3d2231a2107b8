"""From a study's runs to figures with intervals, ratios and quantities: pure, without words or formats."""
