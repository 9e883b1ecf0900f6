"""Where encoders publish by WHIP."""
