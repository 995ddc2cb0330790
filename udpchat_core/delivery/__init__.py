"""Parts of delivery that stand alone: the path's timing and window, a sender's order, and long texts in parts."""
