"""The synthetic demo cohort: heads and livers with lesions, made from a seed."""
