"""What the warehouse costs: builds, hourly runs and questions, measured on logs of any size."""
