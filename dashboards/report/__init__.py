"""The report that a banner sends to its league: figures, A4 page, workbook, and what makes a kept one reproducible."""
