-- An event finds who wants it without looking at the others.
CREATE INDEX REGISTRATIONS_EVENT ON REGISTRATIONS (EVENT);
