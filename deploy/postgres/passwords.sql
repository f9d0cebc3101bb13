-- Passwords of the programs' roles: psql -v password=… -f passwords.sql
ALTER ROLE punctual_api PASSWORD :'password';
ALTER ROLE punctual_worker PASSWORD :'password';
