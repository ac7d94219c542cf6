"""The race on babynames: distance from the optimum against seconds and against passes."""

from race_pictures import draw_curves


def draw(figure):
    draw_curves(figure, "babynames")
