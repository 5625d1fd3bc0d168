"""How numbers and changes are said, everywhere alike. No Plotly; nothing of what the numbers are about."""
