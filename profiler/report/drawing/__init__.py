"""Figures: what they show, in data and words (`charts*`), and how they are drawn (`figures*`)."""
