"""Ways to a person: robots of three messengers, SMS, e-mail, and everything that Apprise knows."""
