module punctual.example/story

go 1.19
