"""The page of `augustus-dl report`: statistics, accuracy and pictures of an annotation.

`survey` reads the genome once and counts (`statistics`); `charts` and `browser` draw, `svg` makes
their figures part of a page, and `page` puts the page together.
"""
