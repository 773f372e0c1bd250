"""What is to be said to whom, by e-mail; sending it is the business of a job."""
