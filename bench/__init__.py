"""Measures this program beside other programs for the same job, and checks what it costs against a budget. Needs Linux."""
