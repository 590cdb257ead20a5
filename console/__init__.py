"""The product's doors on the web: providers' webhooks, bookings, and the patient's own page."""
