"""What a run says: verdict, checklist, findings, and the pages made from them."""
