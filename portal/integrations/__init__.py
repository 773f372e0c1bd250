"""What other systems may do here: tokens they call with, endpoints we tell, forms they embed."""
