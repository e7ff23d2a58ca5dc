"""The Clinic Directory."""
