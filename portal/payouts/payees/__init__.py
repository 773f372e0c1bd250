"""Who is paid and how: methods, destinations, tax forms, and what the law asks in a year."""
