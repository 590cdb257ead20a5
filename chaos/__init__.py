"""`make chaos`: a campaign over the real programs while they are killed and cut off, and a verdict.

Nothing here is part of the product. It reads the product's database and the sandbox's own count,
and compares what the patients have had and said with what the clinic knows.
"""
