"""Messages to people: their words, when they may come, how a mail is made and handed in."""
