"""Rules as data: legal bases, packs of thresholds with effective dates, the working-day calendar, the Measures."""
