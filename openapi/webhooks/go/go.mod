module punctual/webhooks

go 1.19
