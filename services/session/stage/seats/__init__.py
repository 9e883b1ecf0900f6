"""The places on stage: who has one, and freeing those of people who left."""
