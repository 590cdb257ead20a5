"""How the product is run: on one machine (`deploy.local`), and elsewhere."""
