"""The objects of the bucket and the items of the images table, side by side, at any number of either.

`table` reads the items into a temporary file, `bucket` lists the objects, and `comparison` merges the two in the order
of their keys. Memory holds a page of each, however many there are.
"""
