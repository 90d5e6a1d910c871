"""Policies as values, the rules about their parts, and the categories of complaints."""
