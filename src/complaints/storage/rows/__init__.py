"""One file for each table or group of tables, with the statements that read and write its rows."""
