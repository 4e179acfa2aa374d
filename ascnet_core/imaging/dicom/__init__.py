"""DICOM series: found in a folder or a zip, told apart, put in order, decoded, and marked in a SEG.

`formats/dicom.py` makes an image format of them.
"""
