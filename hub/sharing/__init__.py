"""Consent of departments whose data another department got by sharing (the Measures, Art. 14; 实施规范 Art. 5)."""
