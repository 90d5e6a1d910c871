"""Published reports: snapshots of figures for a month or a quarter, restatements, schedules, pages and workbooks."""
