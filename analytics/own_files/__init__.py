"""The numbers from a user's own files: tables read and judged row by row, and what the power commands answer."""
