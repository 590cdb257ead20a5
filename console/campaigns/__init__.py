"""Campaigns, for clinic ops: whom a segment has, what a plan would do, and how a campaign goes."""
