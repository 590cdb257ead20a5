"""The product's doors on the web: the call list, the patient's own page, webhooks, bookings."""
