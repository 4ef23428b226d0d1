"""What is asked about a photo besides its labels: one module for each detector. None is imported unless it is used.

A detector is one API of Rekognition. Its answer is a Finding, which image_labels.tables.findings stores with the item.
"""
