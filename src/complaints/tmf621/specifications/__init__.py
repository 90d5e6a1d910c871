"""Trouble ticket specifications: categories in the words of TMF621."""
