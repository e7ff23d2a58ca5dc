INSERT INTO directory.clinics (clinic_id, name, city, street, telephone, opens_at, closes_at)
SELECT md5('clinic-' || n)::uuid,
       (ARRAY['Riverside', 'Hillcrest', 'Lakeview', 'Old Mill', 'Parkway'])[1 + n % 5] || ' Clinic ' || n,
       (ARRAY['Ashford', 'Brookfield', 'Cedar Falls', 'Dunmore', 'Easton', 'Fairview', 'Glenwood', 'Harlow'])[1 + n % 8],
       n || ' Main Street',
       '555-01' || lpad(n::text, 2, '0'),
       time '08:00' + (n % 3) * interval '30 minutes',
       time '17:00' + (n % 4) * interval '30 minutes'
FROM generate_series(0, 99) AS n;
