"""Figures: what they show, in data and words (`select_*`), and how they are drawn (`draw_*`)."""
