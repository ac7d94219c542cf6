"""The race on digits: distance from the optimum against seconds and against passes."""

from race_pictures import draw_curves


def draw(figure):
    draw_curves(figure, "digits")
