-- What the database has before the first migration. {password} is the twin's throw-away password.
CREATE ROLE directory_app LOGIN PASSWORD '{password}' CONNECTION LIMIT 40;
