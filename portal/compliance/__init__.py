"""What keeps the company within the rules: licences of consultants, customers against own use."""
