"""What the warehouse does besides dbt: says what a build holds, tells people of incidents, replays the alert rules."""
