"""Time: zones, calendars, working time and the notation of spans. Nothing here knows of complaints."""
