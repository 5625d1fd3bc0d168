"""What a measure is worth: how far people of one group agree, and how reliably groups are told apart."""
