"""Files of other programs: tables of measured collectives, one format a file."""
