"""How many times as long as skxent the fastest rival takes, problem by problem."""

from race_pictures import draw_ratios


def draw(figure):
    draw_ratios(figure)
