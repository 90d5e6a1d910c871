"""Time: zones, calendars, working time and the written form of targets. No module here knows complaints."""
