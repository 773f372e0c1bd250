"""Large tests of what must never be lost or done twice: real processes, killed, judged apart."""
