"""Files of rows for spreadsheets and other programs: CSV and XLSX. They know nothing of complaints or of HTTP."""
