"""SMS: their text in segments, what they cost, what Twilio says of them, who wants none."""
